"""Training of quantized autoencoders: plan, loss, net and callbacks."""
