"""Spreadsheets of customers, purchases and orders: read, mapped, and sent row by row, each row once."""
