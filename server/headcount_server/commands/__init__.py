"""The command line. Modules here import nothing heavy at their top: a command that only talks to a server starts in
less than half a second, and only those that serve or read files load what that takes."""
