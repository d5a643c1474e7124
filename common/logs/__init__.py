"""What happened: log lines that know their request and job, and no secret."""
