# Sources made at build time: Spark Connect's messages (millrace_proto) and Spark's error conditions.

set(MILLRACE_GENERATED ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${MILLRACE_GENERATED}/base)

# --- spark/connect/*.pb.h and google/rpc/{status,error_details}.pb.h
set(descriptors ${MILLRACE_GENERATED}/spark_connect.pb)
add_custom_command(
  OUTPUT ${descriptors}
  COMMAND ${MILLRACE_PYTHON} ${CMAKE_SOURCE_DIR}/tools/generate_descriptor_set.py ${descriptors}
  DEPENDS ${CMAKE_SOURCE_DIR}/tools/generate_descriptor_set.py ${CMAKE_SOURCE_DIR}/tools/requirements.txt
  COMMENT "Spark Connect's messages, from pyspark-client" VERBATIM)

set(protos google/rpc/status google/rpc/error_details org/apache/spark/sql/execution/streaming/StateMessage)
foreach(name base catalog commands common expressions ml ml_common pipelines relations types)
  list(APPEND protos spark/connect/${name})
endforeach()
set(proto_files ${protos})
list(TRANSFORM proto_files APPEND .proto)
set(proto_sources ${protos})
list(TRANSFORM proto_sources PREPEND ${MILLRACE_GENERATED}/proto/)
set(proto_headers ${proto_sources})
list(TRANSFORM proto_sources APPEND .pb.cc)
list(TRANSFORM proto_headers APPEND .pb.h)
set(grpc_base ${MILLRACE_GENERATED}/proto/spark/connect/base.grpc.pb)

find_program(PROTOC_PROGRAM protoc REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
file(MAKE_DIRECTORY ${MILLRACE_GENERATED}/proto)
add_custom_command(
  OUTPUT ${proto_sources} ${proto_headers} ${grpc_base}.cc ${grpc_base}.h
  COMMAND ${PROTOC_PROGRAM} --descriptor_set_in=${descriptors} --cpp_out=${MILLRACE_GENERATED}/proto ${proto_files}
  COMMAND ${PROTOC_PROGRAM} --descriptor_set_in=${descriptors} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN}
          --grpc_out=${MILLRACE_GENERATED}/proto spark/connect/base.proto
  DEPENDS ${descriptors}
  COMMENT "protoc" VERBATIM)

add_library(millrace_proto STATIC ${proto_sources} ${grpc_base}.cc)
target_include_directories(millrace_proto SYSTEM PUBLIC ${MILLRACE_GENERATED}/proto)
target_compile_options(millrace_proto PRIVATE -w $<$<CONFIG:Release>:-O1>)

# --- error_conditions.inc: {"CONDITION", "SQLSTATE", "message template"}, sorted by condition
set(conditions ${MILLRACE_GENERATED}/base/error_conditions.inc)
set(condition_sources)
# Spark's own file comes first: it wins where a name is defined twice. tools/install.sh brings all four.
foreach(name error-conditions kafka-error-conditions kafka-token-provider-error-conditions delta-error-classes)
  if(EXISTS ${MILLRACE_DEPS}/error/${name}.json)
    list(APPEND condition_sources ${MILLRACE_DEPS}/error/${name}.json)
  endif()
endforeach()
add_custom_command(
  OUTPUT ${conditions}
  COMMAND ${MILLRACE_PYTHON} ${CMAKE_SOURCE_DIR}/tools/generate_error_conditions.py ${conditions} ${condition_sources}
  DEPENDS ${CMAKE_SOURCE_DIR}/tools/generate_error_conditions.py ${condition_sources}
  COMMENT "Spark's error conditions" VERBATIM)
add_custom_target(millrace_error_conditions DEPENDS ${conditions})

# --- embedded_python.cc: python/ as it travels inside the program (src/python/embedded.h)
set(MILLRACE_EMBEDDED_PYTHON ${MILLRACE_GENERATED}/python/embedded_python.cc)
file(GLOB_RECURSE python_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/python/*.py)
add_custom_command(
  OUTPUT ${MILLRACE_EMBEDDED_PYTHON}
  COMMAND ${MILLRACE_PYTHON} ${CMAKE_SOURCE_DIR}/tools/embed_python.py ${MILLRACE_EMBEDDED_PYTHON}
          ${CMAKE_SOURCE_DIR}/python
  DEPENDS ${CMAKE_SOURCE_DIR}/tools/embed_python.py ${python_sources}
  COMMENT "python/, embedded" VERBATIM)
