// The page that the server shows, compiled in: the files of web/.
#pragma once

#include <span>
#include <string_view>

namespace ebt {

struct WebFile {
  std::string_view name;  // relative to web/, with '/' between folders
  std::string_view etag;  // in quotes
  std::string_view content;
};

// Defined by cmake/embed_web.cmake.
std::span<const WebFile> web_files();

// The Content-Type of a file, by the end of its name.
const char* content_type_of(std::string_view name);

}  // namespace ebt
