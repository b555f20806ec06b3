"""Names of compilers over graphs."""
