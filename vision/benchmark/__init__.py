"""What speed and parity are measured on where no weights or pictures are at hand."""
