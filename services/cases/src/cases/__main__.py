"""`python -m cases`."""

from cases.service import service
from chassis.service import main

main(service)
