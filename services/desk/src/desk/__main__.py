"""`python -m desk`."""

from chassis.service import main
from desk.service import service

main(service)
