"""What happens between steps and between epochs, one callback per concern."""
