"""`python -m pose_server` is the `pose-server` command."""

from pose_server.cli.main import main

if __name__ == "__main__":
    main()
