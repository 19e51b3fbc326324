"""Our double of the Stripe endpoints we use, as a foreign system in its own process."""
