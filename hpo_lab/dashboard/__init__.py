"""What a person sees of an experiment; everything is read from the store."""
