# Imported targets for what others wrote, and millrace_external, which links all of it in the one order that works.
#
# The pyarrow wheel's libraries export RE2 (libarrow_compute), OpenSSL and simdjson (libparquet). Ours must not bind to
# those, nor theirs to ours: Debian's static archives come first on the link line, their symbols are kept out of the
# dynamic table (--exclude-libs,ALL), and Arrow's shared libraries come last. tools/check_symbols.py checks the outcome.

set(MILLRACE_DEPS ${CMAKE_SOURCE_DIR}/.cache/deps)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# --- Python of the checkout: runs the generators, brings Arrow and Spark Connect's messages
set(MILLRACE_PYTHON ${CMAKE_SOURCE_DIR}/.venv/bin/python)
if(NOT EXISTS ${MILLRACE_PYTHON})
  message(FATAL_ERROR "no .venv here: run tools/install.sh (or ./run build, which does)")
endif()
file(GLOB MILLRACE_SITE_PACKAGES ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages)
list(GET MILLRACE_SITE_PACKAGES 0 MILLRACE_SITE_PACKAGES)

# --- Apache Arrow: the user's own where CMake finds one, else the wheel's
option(MILLRACE_SYSTEM_ARROW "Look for an installed Arrow before taking the pyarrow wheel's" ON)
if(MILLRACE_SYSTEM_ARROW)
  find_package(Arrow CONFIG QUIET)
  find_package(ArrowCompute CONFIG QUIET)
  find_package(Parquet CONFIG QUIET)
endif()
if(TARGET Arrow::arrow_shared AND TARGET Parquet::parquet_shared)
  add_library(Arrow::arrow ALIAS Arrow::arrow_shared)
  add_library(Arrow::parquet ALIAS Parquet::parquet_shared)
  if(TARGET ArrowCompute::arrow_compute_shared)
    add_library(Arrow::compute ALIAS ArrowCompute::arrow_compute_shared)
  else()
    add_library(Arrow::compute ALIAS Arrow::arrow_shared)  # before 21 the kernels were inside libarrow
  endif()
  get_target_property(MILLRACE_ARROW_INCLUDE Arrow::arrow_shared INTERFACE_INCLUDE_DIRECTORIES)
else()
  set(pyarrow ${MILLRACE_SITE_PACKAGES}/pyarrow)
  set(MILLRACE_ARROW_SONAME 2600)
  set(MILLRACE_ARROW_INCLUDE ${pyarrow}/include)
  foreach(pair arrow:arrow compute:arrow_compute parquet:parquet)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 name)
    list(GET pair 1 file)
    add_library(Arrow::${name} SHARED IMPORTED)
    set_target_properties(Arrow::${name} PROPERTIES
      IMPORTED_LOCATION ${pyarrow}/lib${file}.so.${MILLRACE_ARROW_SONAME}
      IMPORTED_SONAME lib${file}.so.${MILLRACE_ARROW_SONAME}
      INTERFACE_INCLUDE_DIRECTORIES ${MILLRACE_ARROW_INCLUDE})
    if(NOT EXISTS ${pyarrow}/lib${file}.so.${MILLRACE_ARROW_SONAME})
      message(FATAL_ERROR "pyarrow has no lib${file}.so.${MILLRACE_ARROW_SONAME}; tools/requirements.txt pins its version")
    endif()
  endforeach()
endif()

# --- archives, as pkg-config lists them for static linking; shared where Debian has no archive
function(millrace_archives variable)
  set(found)
  foreach(name ${ARGN})
    find_library(archive_${name} NAMES lib${name}.a)
    if(archive_${name})
      list(APPEND found ${archive_${name}})
    else()
      list(APPEND found -l${name})
    endif()
  endforeach()
  set(${variable} ${found} PARENT_SCOPE)
endfunction()

pkg_check_modules(grpc REQUIRED grpc++)
set(grpc_names ${grpc_STATIC_LIBRARIES})
list(REMOVE_DUPLICATES grpc_names)
list(REMOVE_ITEM grpc_names dl rt pthread m atomic)
millrace_archives(grpc_archives ${grpc_names})
# RE2 is in gRPC's list as well. OpenSSL must be an archive: libparquet exports another one.
millrace_archives(other_archives protobuf rocksdb pcre2-8 snappy lz4 zstd bz2 ssl crypto z)

# --- simdjson: a single header, compiled once and kept to ourselves (libparquet exports another simdjson)
add_library(millrace_simdjson STATIC ${MILLRACE_DEPS}/simdjson/simdjson.cpp)
target_include_directories(millrace_simdjson SYSTEM PUBLIC ${MILLRACE_DEPS}/simdjson)
target_compile_options(millrace_simdjson PRIVATE -O3 -fvisibility=hidden)

# --- librdkafka: Debian's header and the library of the confluent-kafka wheel. Debian's own (2.0) cannot log in by SCRAM to
# brokers that check the nonce (Kafka 3.9.1 and later), and looks once a second whether a full queue has room again.
file(GLOB MILLRACE_RDKAFKA ${MILLRACE_SITE_PACKAGES}/confluent_kafka.libs/librdkafka-*.so.1)
if(NOT MILLRACE_RDKAFKA)
  message(FATAL_ERROR "confluent-kafka has no librdkafka; tools/requirements.txt pins its version")
endif()
get_filename_component(rdkafka_name ${MILLRACE_RDKAFKA} NAME)
add_library(Kafka::rdkafka SHARED IMPORTED)
set_target_properties(Kafka::rdkafka PROPERTIES IMPORTED_LOCATION ${MILLRACE_RDKAFKA} IMPORTED_SONAME ${rdkafka_name})

add_library(millrace_headers INTERFACE)
target_include_directories(millrace_headers SYSTEM INTERFACE ${MILLRACE_ARROW_INCLUDE} ${MILLRACE_DEPS}/simdjson)
target_compile_definitions(millrace_headers INTERFACE SPDLOG_SHARED_LIB SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)

add_library(millrace_external INTERFACE)
target_link_libraries(millrace_external INTERFACE
  millrace_simdjson
  -Wl,--start-group ${grpc_archives} ${other_archives} -Wl,--end-group
  -Wl,--as-needed
  spdlog fmt icui18n icuuc
  Kafka::rdkafka Arrow::compute Arrow::parquet Arrow::arrow
  Threads::Threads dl rt)
target_link_options(millrace_external INTERFACE -Wl,--exclude-libs,ALL)
