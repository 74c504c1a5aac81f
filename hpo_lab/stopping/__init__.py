"""Early stopping: the rules, what they are asked, and where they are found."""
