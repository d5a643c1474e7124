"""What the stored files weigh, how long they stay, and what nobody owns any more."""
