"""The command line of the evaluation: one file a command, none of which imports torch at start-up."""
