"""`python -m headcount_server.commands` is `headcount`, for processes that start one another."""

from headcount_server.commands.main import run

run()
