"""`python -m customer [serve|migrate|provision|describe]`."""

from chassis.service import main
from customer.service import service

main(service)
