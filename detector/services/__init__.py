"""What the detector app does. Reads are in :mod:`detector.selectors`."""
