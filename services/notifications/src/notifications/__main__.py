"""`python -m notifications [serve|migrate|provision|describe]`."""

from chassis.service import main
from notifications.service import service

main(service)
