"""`rapport import`: spreadsheets of customers, purchases and orders, row by row, each row once."""
