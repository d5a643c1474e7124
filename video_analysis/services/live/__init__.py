"""What looks at live cameras: leases, pipelines, and the thread that stores what they find."""
