"""Work outside a request. The Job row is the truth, the Celery message only a bell."""
