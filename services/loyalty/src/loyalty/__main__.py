"""`python -m loyalty`."""

from chassis.service import main
from loyalty.service import service

main(service)
