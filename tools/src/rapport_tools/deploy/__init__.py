"""`rapport deploy`: what an installation on Kubernetes needs before its releases."""
