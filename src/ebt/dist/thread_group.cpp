#include "ebt/dist/thread_group.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "ebt/core/error.h"

namespace ebt {
namespace {

// What one rank offers another until that has copied it.
struct Letter {
  std::span<const std::byte> bytes;
  bool waits = false;
};

struct Mailboxes {
  explicit Mailboxes(int ranks)
      : size(static_cast<size_t>(ranks)), letters(size * size), ended(size, false) {}
  Letter& letter(int from, int to) {
    return letters[static_cast<size_t>(from) * size + static_cast<size_t>(to)];
  }

  size_t size;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Letter> letters;  // (from, to)
  std::vector<bool> ended;      // of each rank
  std::exception_ptr failure;   // the first
};

class ThreadGroup final : public Group {
 public:
  ThreadGroup(int rank, int size, Mailboxes& mailboxes)
      : Group(rank, size), mailboxes_(mailboxes) {}

 private:
  void transfer(int to, std::span<const std::byte> sent, int from,
                std::span<std::byte> received) override {
    std::unique_lock lock(mailboxes_.mutex);
    Letter& outgoing = mailboxes_.letter(rank(), to);
    try {
      if (!sent.empty()) {
        outgoing = {sent, true};
        mailboxes_.changed.notify_all();
      }
      if (!received.empty()) {
        take_letter(from, received, lock);
      }
      if (!sent.empty()) {
        wait_for(to, lock, [&] { return !outgoing.waits; });
      }
    } catch (...) {
      outgoing.waits = false;  // its bytes will soon be gone
      throw;
    }
  }

  void take_letter(int from, std::span<std::byte> received, std::unique_lock<std::mutex>& lock) {
    Letter& letter = mailboxes_.letter(from, rank());
    wait_for(from, lock, [&] { return letter.waits; });
    EBT_CHECK(letter.bytes.size() == received.size(),
              "rank {} sent {} bytes where rank {} expected {}", from, letter.bytes.size(), rank(),
              received.size());
    std::copy(letter.bytes.begin(), letter.bytes.end(), received.begin());
    letter.waits = false;
    mailboxes_.changed.notify_all();
  }

  template <class Condition>
  void wait_for(int other, std::unique_lock<std::mutex>& lock, const Condition& condition) {
    mailboxes_.changed.wait(
        lock, [&] { return condition() || mailboxes_.ended[static_cast<size_t>(other)]; });
    EBT_CHECK(condition(), "rank {} ended while rank {} waited for it", other, rank());
  }

  Mailboxes& mailboxes_;
};

}  // namespace

void run_thread_ranks(int size, const std::function<void(Group&)>& work) {
  Mailboxes mailboxes(size);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      std::exception_ptr failure;
      try {
        ThreadGroup group(rank, size, mailboxes);
        work(group);
      } catch (...) {
        failure = std::current_exception();
      }
      const std::lock_guard lock(mailboxes.mutex);
      mailboxes.ended[static_cast<size_t>(rank)] = true;
      if (!mailboxes.failure) {
        mailboxes.failure = failure;
      }
      mailboxes.changed.notify_all();
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  if (mailboxes.failure) {
    std::rethrow_exception(mailboxes.failure);
  }
}

}  // namespace ebt
