#!/usr/bin/env python3
"""status_api - a stand-in for the 311 API's one call that the flow makes: POST /status/reset-cache."""
from standin import Reply, StandIn, options, serve


class StatusApi(StandIn):
    def answer(self, request):
        if request.path != "/status/reset-cache":
            return Reply(404, '{"detail":"Not Found"}', "application/json")
        if request.method != "POST":
            return Reply(405, '{"detail":"Method Not Allowed"}', "application/json", {"Allow": "POST"})
        return Reply(200, '{"status":"ok","message":"cache was reset"}', "application/json")


if __name__ == "__main__":
    serve(StatusApi(), options(StatusApi, description=__doc__.partition("\n")[0]).parse_args())
