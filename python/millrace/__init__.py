"""What `millrace submit` puts around a PySpark job so that it runs unchanged on the embedded engine."""
