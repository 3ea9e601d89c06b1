"""What a host application may import: Python 3.9, grpcio and protobuf, nothing else."""

__all__ = ["PROTOCOL_VERSION", "__version__"]

#: Of the client; the server's own comes with `ServerInfo`.
__version__ = "0.1.0"

#: Major and minor version of the protocol in ``protos/pose/v1``. Another major number does not fit.
PROTOCOL_VERSION = (1, 0)
