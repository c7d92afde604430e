#include "ebt/serve/listeners.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"

namespace ebt {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};

// As bytes of a sockaddr.
using Address = std::string;

const sockaddr* as_sockaddr(const Address& address) {
  return reinterpret_cast<const sockaddr*>(address.data());
}

uint16_t* port_field(Address& address) {
  return as_sockaddr(address)->sa_family == AF_INET6
             ? &reinterpret_cast<sockaddr_in6*>(address.data())->sin6_port
             : &reinterpret_cast<sockaddr_in*>(address.data())->sin_port;
}

bool is_loopback(const Address& address) {
  if (as_sockaddr(address)->sa_family == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr);
  }
  const auto& v4 = *reinterpret_cast<const sockaddr_in*>(address.data());
  return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
}

void add_addresses(const std::string& host, std::vector<Address>& addresses) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), "0", &hints, &found);
  EBT_CHECK(status == 0, "serve: there is no address '{}': {}", host, gai_strerror(status));
  const std::unique_ptr<addrinfo, FreeAddresses> owner(found);
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    Address address(reinterpret_cast<const char*>(at->ai_addr), at->ai_addrlen);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(std::move(address));
    }
  }
}

std::vector<Address> addresses_of(const std::string& host) {
  std::vector<Address> addresses;
  if (host == "localhost") {  // whatever a machine's table of hosts knows of it
    add_addresses("127.0.0.1", addresses);
    add_addresses("::1", addresses);
  } else {
    add_addresses(host, addresses);
  }
  return addresses;
}

// A listening socket; -1 and errno where there can be none.
int listen_at(const Address& address) {
  constexpr int kBacklog = 256;
  const int socket =
      ::socket(as_sockaddr(address)->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  if (socket < 0) {
    return -1;
  }
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(socket, as_sockaddr(address), static_cast<socklen_t>(address.size())) != 0 ||
      ::listen(socket, kBacklog) != 0) {
    const int error = errno;
    close(socket);
    errno = error;
    return -1;
  }
  return socket;
}

int port_of(int socket) {
  Address address(sizeof(sockaddr_storage), '\0');
  auto length = static_cast<socklen_t>(address.size());
  getsockname(socket, reinterpret_cast<sockaddr*>(address.data()), &length);
  return ntohs(*port_field(address));
}

}  // namespace

Listeners::~Listeners() { close_all(); }

void Listeners::close_all() {
  for (const int socket : std::exchange(sockets_, {})) {
    close(socket);
  }
}

int Listeners::port() const { return port_of(sockets_.front()); }

void Listeners::open(const std::string& host, int port) {
  constexpr int kTries = 10;
  const std::vector<Address> addresses = addresses_of(host);
  on_loopback_ = std::all_of(addresses.begin(), addresses.end(), is_loopback);
  // A port that is free at one address may be taken at the other.
  int error = EADDRINUSE;
  for (int i = 0; error == EADDRINUSE && i < (port == 0 ? kTries : 1); ++i) {
    error = listen_at_all(addresses, port);
  }
  EBT_CHECK(error == 0, "serve: cannot listen on {} port {}: {}", host, port,
            std::generic_category().message(error));
}

// Returns 0 or the number of an error.
int Listeners::listen_at_all(const std::vector<std::string>& addresses, int port) {
  int absent = 0;
  for (Address address : addresses) {
    *port_field(address) = htons(static_cast<uint16_t>(port));
    const int socket = listen_at(address);
    if (socket >= 0) {
      sockets_.push_back(socket);
      port = port_of(socket);
    } else if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT) {
      absent = errno;  // of two families a machine may have one
    } else {
      const int error = errno;  // nobody else may have a part of the port
      close_all();
      return error;
    }
  }
  return sockets_.empty() ? absent : 0;
}

void Listeners::shut() const {
  for (const int socket : sockets_) {
    shutdown(socket, SHUT_RDWR);
  }
}

}  // namespace ebt
