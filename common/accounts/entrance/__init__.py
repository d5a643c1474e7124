"""The pages before somebody is signed in: sign in, sign up, reset a password, confirm a mail."""
