"""What a job that reckons anew says of a customer is found by the customer, when they are erased."""

from chassis.db.indexes import create_index

revision = "loyalty_0032"
down_revision = "loyalty_0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("reevaluation_results_customer", "reevaluation_results (customer_id)")
    create_index(
        "reevaluation_jobs_customer", "reevaluation_jobs (customer_id) WHERE customer_id IS NOT NULL"
    )
