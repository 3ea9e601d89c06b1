"""A real server whose jobs are `fake_jobs.run`; settings come from the environment."""

import sys


def main() -> None:
    # Imported here, because every worker imports this file again.
    from pose_server.api.server import run_server
    from pose_server.settings import load_settings
    from pose_shared.errors import PoseError

    try:
        run_server(
            load_settings(),
            job_function="fake_jobs:run",
            on_ready=lambda address: print("listens on", address, flush=True),
        )
    except PoseError as error:
        print(error.message, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
