"""The till: rewards redeemed, vouchers handed over and used, and what a customer was given."""
