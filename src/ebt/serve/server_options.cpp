#include "ebt/serve/server_options.h"

#include <utility>

#include "ebt/core/error.h"

namespace ebt {

void ServerOptions::check() const {
  EBT_CHECK(port >= 0 && port <= 65'535, "port: {} is not a whole number from 0 to 65535", port);
  for (const auto& [name, places] : {std::pair("queue", queue), {"image-queue", image_queue}}) {
    EBT_CHECK(places >= 0 && places <= 100'000, "{}: {} is not a whole number from 0 to 100000",
              name, places);
  }
  EBT_CHECK(max_connections >= 1 && max_connections <= 10'000,
            "max-connections: {} is not a whole number from 1 to 10000", max_connections);
  const std::pair<const char*, double> times[] = {{"request-timeout", request_timeout_s},
                                                  {"read-timeout", read_timeout_s},
                                                  {"write-timeout", write_timeout_s},
                                                  {"idle-timeout", idle_timeout_s}};
  for (const auto& [name, seconds] : times) {
    EBT_CHECK(seconds > 0 && seconds <= 100'000, "{}: {} is not a number of seconds up to 100000",
              name, seconds);
  }
}

}  // namespace ebt
