// Damages valid input in the ways that accidents and attackers do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace ebt::testing {

// Every seed makes its own series of mutations, the same on every run.
class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  // Uniform in [0, bound).
  size_t below(size_t bound) { return static_cast<size_t>(random_() % bound); }

  // Applies one to four random changes to text[begin, end); nothing outside is touched, but bytes
  // after `end` move when the length of the part changes.
  void mutate(std::string& text, size_t begin, size_t end) {
    std::string part = text.substr(begin, end - begin);
    for (size_t changes = 1 + below(4); changes > 0; --changes) {
      change(part);
    }
    text.replace(begin, end - begin, part);
  }

  // As mutate, for what is not text: single bits, and bytes and numbers at their extremes.
  void mutate_bytes(std::string& bytes, size_t begin, size_t end) {
    for (size_t changes = 1 + below(4); changes > 0 && begin < end; --changes) {
      const size_t at = begin + below(end - begin);
      const char extreme = "\x00\x01\x7f\x80\xfe\xff"[below(6)];
      switch (below(3)) {
        case 0:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
          break;
        case 1:
          bytes[at] = extreme;
          break;
        default:
          for (size_t i = 0; i < 1 + below(4) && at + i < end; ++i) {
            bytes[at + i] = extreme;
          }
      }
    }
  }

 private:
  void change(std::string& part) {
    const size_t at = below(part.size() + 1);
    const size_t length = below(part.size() - at + 1);
    switch (below(7)) {
      case 0:
        flip_bit(part);
        break;
      case 1:
        part.resize(at);
        break;
      case 2:
        part.erase(at, length % 8);
        break;
      case 3:
        part.insert(below(part.size() + 1), part.substr(at, length));
        break;
      case 4:
        part.insert(at, pick(kFragments));
        break;
      default:
        replace_number(part);
        break;
    }
  }

  void flip_bit(std::string& part) {
    if (!part.empty()) {
      char& byte = part[below(part.size())];
      byte = static_cast<char>(byte ^ (1 << below(8)));
    }
  }

  // Puts a hostile value in the place of a number.
  void replace_number(std::string& part) {
    constexpr const char* kDigits = "0123456789";
    const size_t begin = part.find_first_of(kDigits, below(part.size() + 1));
    if (begin == std::string::npos) {
      return;
    }
    const size_t end = std::min(part.find_first_not_of(kDigits, begin), part.size());
    part.replace(begin, end - begin, pick(kNumbers));
  }

  template <size_t count>
  const char* pick(const char* const (&choices)[count]) {
    return choices[below(count)];
  }

  static constexpr const char* kFragments[] = {
      "9", "00", "-", "\"", "\\",   "{",    "[",       "]",
      "}", ",",  ":", "\n", "null", "\xff", "\\ud800", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["};
  static constexpr const char* kNumbers[] = {"0",
                                             "1",
                                             "-1",
                                             "-0",
                                             "2147483648",
                                             "4294967296",
                                             "4611686018427387904",
                                             "9223372036854775807",
                                             "9223372036854775808",
                                             "18446744073709551615",
                                             "18446744073709551616",
                                             "99999999999999999999999999999999",
                                             "1.5",
                                             "1e3",
                                             "1e999",
                                             "\"1\"",
                                             "[]"};

  std::mt19937_64 random_;
};

}  // namespace ebt::testing
