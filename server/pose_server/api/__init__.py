"""The gRPC face of the server: services, converters, interceptors. The only importer of grpc."""
