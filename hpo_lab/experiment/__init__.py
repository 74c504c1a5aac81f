"""The experiment document: model, vocabulary, rules, manifests in and out."""
