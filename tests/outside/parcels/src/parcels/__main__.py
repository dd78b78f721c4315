"""`python -m parcels`."""

from chassis.service import main
from parcels.service import service

main(service)
