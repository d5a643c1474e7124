"""Settings: `base` (one laptop), `production` (behind an HTTPS proxy), `test`."""
