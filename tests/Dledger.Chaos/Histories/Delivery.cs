using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dledger.Chaos.Histories;

/// <summary>One message as it was read: an array of offset, id, whether its bytes were whole, attempt, handle number, end of
/// the lease in ns of the run's clock, queue.</summary>
/// <param name="Offset">Place in the queue.</param>
/// <param name="Id">What the body says; empty when it cannot be read.</param>
/// <param name="IsWhole">Length and check sum of the body are right, and topic and message id fit to it.</param>
/// <param name="Attempt">Delivery attempt, from 1; 0 in final reads.</param>
/// <param name="Handle">Number that the recorder gave to the receipt handle; 0 in final reads.</param>
/// <param name="LeaseEnd">The earliest end of the lease: begin of the call plus the invisible duration.</param>
/// <param name="Queue">Queue of the topic.</param>
[JsonConverter(typeof(DeliveryConverter))]
internal sealed record Delivery(long Offset, string Id, bool IsWhole, int Attempt, long Handle, long LeaseEnd, int Queue)
{
    /// <summary>A message of a final read.</summary>
    public static Delivery Final(int queue, long offset, string id, bool isWhole) => new(offset, id, isWhole, 0, 0, 0, queue);

    private sealed class DeliveryConverter : JsonConverter<Delivery>
    {
        public override Delivery Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var array = JsonElement.ParseValue(ref reader);
            return new Delivery(
                array[0].GetInt64(), array[1].GetString()!, array[2].GetBoolean(), array[3].GetInt32(), array[4].GetInt64(),
                array[5].GetInt64(), array[6].GetInt32());
        }

        public override void Write(Utf8JsonWriter writer, Delivery value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            writer.WriteNumberValue(value.Offset);
            writer.WriteStringValue(value.Id);
            writer.WriteBooleanValue(value.IsWhole);
            writer.WriteNumberValue(value.Attempt);
            writer.WriteNumberValue(value.Handle);
            writer.WriteNumberValue(value.LeaseEnd);
            writer.WriteNumberValue(value.Queue);
            writer.WriteEndArray();
        }
    }
}
