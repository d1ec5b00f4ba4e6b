"""`python -m playbooks.cli`: the same as the program `playbooks`."""

from playbooks.cli import main

main()
