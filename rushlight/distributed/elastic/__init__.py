"""What a program that is started again and again tells the one that starts it."""
