// What a run reads from a stream, which can be read only once: it is kept in the run's folder, so
// that the run can resume.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "ebt/data/text/text_source.h"
#include "ebt/io/byte_stream.h"
#include "ebt/io/file.h"

namespace ebt {

// The copy in the folder of a run. A config.json names it without its folder, which may move:
// load_config and save_config translate.
inline constexpr char kStreamFile[] = "data.stream";

// A copy of a stream, which is removed again with this object, unless a run has come to own it.
class StreamedData {
 public:
  // Reads all of `bytes`, which progress calls `name`, into a folder that is there. Throws Error
  // when they cannot be read or the disk is full.
  StreamedData(ByteStream& bytes, const std::string& name, std::filesystem::path folder);
  StreamedData(const StreamedData&) = delete;
  StreamedData& operator=(const StreamedData&) = delete;
  ~StreamedData();

  // Where it can be read.
  std::string path() const;
  // Gives the copy its name, in place of what an older run left there. Throws Error as
  // AtomicFile::commit does.
  void keep();
  // The run has been started: the copy stays.
  void give_to_run() { owned_by_run_ = true; }

 private:
  std::filesystem::path folder_;
  bool kept_ = false;
  bool owned_by_run_ = false;
  std::unique_ptr<AtomicFile> file_;
};

// Where the source is a stream: copies it, decoded, into `folder`, and makes `source` name the copy
// and what it is. Else null. Throws Error also when the stream is no text.
std::unique_ptr<StreamedData> copy_text_stream(TextSource& source,
                                               const std::filesystem::path& folder);
// The same of images, which must come as an archive.
std::unique_ptr<StreamedData> copy_image_stream(std::string& data,
                                                const std::filesystem::path& folder);

}  // namespace ebt
