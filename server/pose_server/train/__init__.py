"""Training: data sets, virtual cameras, noise, losses and loops."""
