"""What people are told of a period: read from the records, told in one short card."""
