"""Who calls: the Auth service's public keys, kept here so that no request has to ask for them."""
