"""The whole stack as `make run` starts it, under load and under attack; judged from outside."""
