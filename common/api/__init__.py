"""What every REST endpoint shares: authentication, error shape, pages, throttles."""
