"""What it does on its own: one file per background job."""
