"""What the services have, as files for spreadsheets and programs, and for another installation to import."""
