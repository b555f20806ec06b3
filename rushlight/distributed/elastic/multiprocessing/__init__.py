"""What a process tells the one that started it."""
