// What an XML parser says of a document. Tests that ask it skip themselves where there is none.
#pragma once

#include <string>

#ifdef EBT_HAS_EXPAT
#include <expat.h>

#include <memory>
#endif

namespace ebt::testing {

#ifdef EBT_HAS_EXPAT

inline constexpr const char* kNoXmlParser = nullptr;

// "" for well-formed XML in UTF-8, else what is wrong and in which line.
inline std::string xml_error(const std::string& document) {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
      XML_ParserCreate("UTF-8"), &XML_ParserFree);
  if (XML_Parse(parser.get(), document.data(), static_cast<int>(document.size()), 1) != 0) {
    return "";
  }
  return std::string(XML_ErrorString(XML_GetErrorCode(parser.get()))) + " in line " +
         std::to_string(XML_GetCurrentLineNumber(parser.get()));
}

#else

inline constexpr const char* kNoXmlParser =
    "Expat (libexpat1-dev) was absent when the tests were built";

inline std::string xml_error(const std::string& /*document*/) { return kNoXmlParser; }

#endif

}  // namespace ebt::testing
