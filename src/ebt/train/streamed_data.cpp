#include "ebt/train/streamed_data.h"

#include <system_error>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/text/text_input.h"
#include "ebt/io/compression.h"

namespace ebt {
namespace fs = std::filesystem;

StreamedData::StreamedData(ByteStream& bytes, const std::string& name, fs::path folder)
    : folder_(std::move(folder)), file_(std::make_unique<AtomicFile>(folder_ / kStreamFile)) {
  read_blocks(bytes, name, [&](std::string_view block) { file_->write(block); });
}

StreamedData::~StreamedData() {
  std::error_code ignored;
  if (kept_ && !owned_by_run_) {
    fs::remove(folder_ / kStreamFile, ignored);
  }
}

std::string StreamedData::path() const {
  return (kept_ ? folder_ / kStreamFile : file_->temporary_path()).string();
}

void StreamedData::keep() {
  file_->commit();
  kept_ = true;
}

std::unique_ptr<StreamedData> copy_text_stream(TextSource& source, const fs::path& folder) {
  if (!is_stream(source.data)) {
    return nullptr;
  }
  const TextInput input = open_text_input(source.data, source.as);
  EBT_CHECK(!input.bytes->peek(1).empty(), "{} is empty: there is no text to read", input.name);
  auto copy = std::make_unique<StreamedData>(*input.bytes, input.name, folder);
  source.data = copy->path();
  source.as = source.as == TextFormat::kBytes ? TextFormat::kBytes : input.format;
  return copy;
}

std::unique_ptr<StreamedData> copy_image_stream(std::string& data, const fs::path& folder) {
  if (!is_stream(data)) {
    return nullptr;
  }
  const std::string name = source_name(data);
  const DecodedBytes input = open_decoded(data);
  EBT_CHECK(input.kind != nullptr && input.kind->use == FileUse::kTar,
            "{} is no tar archive of images", name);
  auto copy = std::make_unique<StreamedData>(*input.bytes, name, folder);
  data = copy->path();
  return copy;
}

}  // namespace ebt
