#include "format/xml/xml_options.h"

#include <array>

namespace millrace::format {

namespace {

constexpr std::array kOptions = {
    OptionDoc{"rowTag", "ROW", "The element that is a row; to_xml writes it."},
    OptionDoc{"attributePrefix", "_", "Begins the names of the fields that attributes go to."},
    OptionDoc{"valueTag", "_VALUE", "The field for the text of an element that has attributes or children."},
    OptionDoc{"arrayElementName", "item", "The element that elements of an array inside of an array are written as."},
    OptionDoc{"wildcardColName", "xs_any", "The column that elements without a field go to, as text."},
    OptionDoc{"indent", "    ", "What each level is indented by when writing; empty: all on one line."},
    OptionDoc{"nullValue", "", "The text of NULL; not given: there is none, and NULLs are not written."},
    OptionDoc{"excludeAttribute", "false", "Attributes are not read."},
    OptionDoc{"ignoreSurroundingSpaces", "true", "White space around values is cut off when reading."},
    OptionDoc{"ignoreNamespace", "false", "Prefixes of names are cut off when reading."},
    OptionDoc{"inferSchema", "true", "Inference looks at values; without it all are strings."},
    OptionDoc{"prefersDecimal", "false", "Inference takes fractions for decimals."},
    OptionDoc{"validateName", "true", "Names that are no names of XML are an error when writing."},
    OptionDoc{"mode", "PERMISSIVE", "What happens to malformed records: PERMISSIVE or FAILFAST."},
    OptionDoc{"columnNameOfCorruptRecord", "", "Column that holds malformed records; empty: the session's setting."},
    OptionDoc{"dateFormat", "yyyy-MM-dd", "Pattern of dates; when reading, without it, whatever CAST accepts."},
    OptionDoc{"timestampFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", "Pattern of timestamps; see dateFormat."},
    OptionDoc{"timestampNTZFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS]", "Pattern of timestamps without zone."},
    OptionDoc{"timeZone", "", "Zone of timestamps; empty: the session's."},
    OptionDoc{"locale", "en-US", "IETF BCP 47 tag: names of months and days, signs of decimals."},
};

}  // namespace

std::span<const OptionDoc> XmlOptions::Table() { return kOptions; }

arrow::Result<XmlOptions> XmlOptions::Parse(const OptionMap& given, const SessionFormat& session) {
  OptionReader reader(given, kOptions);
  for (std::string_view key : {"rowValidationXSDPath", "timeFormat", "singleVariantColumn"}) {
    if (reader.Given(key)) return arrow::Status::NotImplemented("the XML option ", key);
  }
  XmlOptions options;
  options.row_tag = reader.Text("rowTag");
  options.attribute_prefix = reader.Text("attributePrefix");
  options.value_tag = reader.Text("valueTag");
  options.array_element_name = reader.Text("arrayElementName");
  options.wildcard_column = reader.Text("wildcardColName");
  options.indent = reader.Text("indent");
  options.null_value = reader.Given("nullValue");
  auto require = [](bool holds, std::string_view message) {
    return holds ? arrow::Status::OK() : arrow::Status::Invalid("requirement failed: ", message);
  };
  ARROW_RETURN_NOT_OK(require(!options.row_tag.empty(), "'rowTag' option should not be an empty string."));
  ARROW_RETURN_NOT_OK(
      require(options.row_tag.find_first_of("<>") == std::string::npos, "'rowTag' should not include angle brackets"));
  ARROW_RETURN_NOT_OK(require(!options.value_tag.empty(), "'valueTag' option should not be empty string."));
  ARROW_RETURN_NOT_OK(require(options.value_tag != options.attribute_prefix,
                              "'valueTag' and 'attributePrefix' options should not be the same."));
  ARROW_ASSIGN_OR_RAISE(options.exclude_attributes, reader.Boolean("excludeAttribute"));
  ARROW_ASSIGN_OR_RAISE(options.ignore_surrounding_spaces, reader.Boolean("ignoreSurroundingSpaces"));
  ARROW_ASSIGN_OR_RAISE(options.ignore_namespace, reader.Boolean("ignoreNamespace"));
  ARROW_ASSIGN_OR_RAISE(options.infer_schema, reader.Boolean("inferSchema"));
  ARROW_ASSIGN_OR_RAISE(options.prefers_decimal, reader.Boolean("prefersDecimal"));
  ARROW_ASSIGN_OR_RAISE(options.validate_name, reader.Boolean("validateName"));
  ARROW_RETURN_NOT_OK(options.ReadCommon(reader, session));
  return options;
}

}  // namespace millrace::format
