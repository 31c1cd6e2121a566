using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Platform;

namespace BasiqFunctions.Sandbox.Data;

/// <summary>
/// What a transaction says of itself, apart from its amount and date: description, class, and Basiq's enrichment. The JSON
/// of it is made once, because a page holds 500 of them.
/// </summary>
internal sealed class Narration
{
    public Narration(string description, string transactionClass, Merchant? merchant = null, string tags = "", string? bpayBiller = null)
    {
        Description = JsonEncodedText.Encode(description, Answers.WriterOptions.Encoder);
        Class = JsonEncodedText.Encode(transactionClass);
        SubClass = Json(writer =>
        {
            writer.WriteStartObject();
            if (merchant is not null)
            {
                writer.WriteString("code", merchant.Industry.Code);
                writer.WriteString("title", merchant.Industry.Title);
            }

            writer.WriteEndObject();
        });
        Enrich = Json(writer => WriteEnrich(writer, description, merchant, tags));
        PaymentDetails = bpayBiller is null
            ? null
            : Json(writer =>
            {
                writer.WriteStartObject();
                writer.WriteStartObject("bpay");
                writer.WriteString("billerCode", (100_000 + (Chance.Mix(1, bpayBiller) % 900_000)).ToString("D6", null));
                writer.WriteString("billerName", bpayBiller);
                writer.WriteString("crn", (1_000_000_000 + (Chance.Mix(2, bpayBiller) % 9_000_000_000)).ToString("D10", null));
                writer.WriteEndObject();
                writer.WriteEndObject();
            });
    }

    public JsonEncodedText Description { get; }
    public JsonEncodedText Class { get; }
    public byte[] SubClass { get; }
    public byte[] Enrich { get; }
    public byte[]? PaymentDetails { get; }

    private static void WriteEnrich(Utf8JsonWriter writer, string description, Merchant? merchant, string tags)
    {
        writer.WriteStartObject();
        writer.WriteString("cleanDescription", merchant?.Name ?? description);
        writer.WriteStartArray("tags");
        foreach (var tag in tags.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            writer.WriteStringValue(tag);
        writer.WriteEndArray();
        if (merchant is null)
        {
            writer.WriteNull("category");
            writer.WriteNull("merchant");
            writer.WriteNull("location");
        }
        else
        {
            writer.WriteStartObject("category");
            writer.WriteString("matchType", "merchantFull");
            writer.WriteString("matchScore", "1.0");
            writer.WriteStartObject("anzsic");
            WriteLevel(writer, "division", merchant.Industry.Division);
            WriteLevel(writer, "subdivision", merchant.Industry.Subdivision);
            WriteLevel(writer, "group", (merchant.Industry.Code, merchant.Industry.Title));
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteStartObject("merchant");
            writer.WriteString("id", merchant.Id);
            writer.WriteString("businessName", merchant.Name);
            writer.WriteString("ABN", (10_000_000_000 + (Chance.Mix(3, merchant.Name) % 89_000_000_000)).ToString("D11", null));
            writer.WriteString("logoMaster", "");
            writer.WriteString("logoThumb", "");
            writer.WriteString("website", "");
            writer.WriteEndObject();
            writer.WriteStartObject("location");
            writer.WriteString("country", "Australia");
            writer.WriteString("suburb", merchant.Suburb);
            writer.WriteString("state", merchant.State);
            writer.WriteString("postalCode", merchant.Postcode);
            writer.WriteString("formattedAddress", $"{merchant.Suburb} {merchant.State} {merchant.Postcode}");
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteLevel(Utf8JsonWriter writer, string name, (string Code, string Title) level)
    {
        writer.WriteStartObject(name);
        writer.WriteString("code", level.Code);
        writer.WriteString("title", level.Title);
        writer.WriteEndObject();
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, Answers.WriterOptions))
            write(writer);
        return buffer.WrittenSpan.ToArray();
    }
}

/// <summary>A group of the Australian and New Zealand Standard Industrial Classification, with what it lies in.</summary>
internal sealed record Industry(string Code, string Title, (string Code, string Title) Subdivision, (string Code, string Title) Division)
{
    private static readonly (string, string) Retail = ("G", "Retail Trade");
    private static readonly (string, string) Utilities = ("D", "Electricity, Gas, Water and Waste Services");

    public static readonly Industry Groceries =
        new("411", "Supermarket and Grocery Stores", ("41", "Food Retailing"), Retail);

    public static readonly Industry Fuel =
        new("400", "Fuel Retailing", ("40", "Fuel Retailing"), Retail);

    public static readonly Industry Meals =
        new(
            "451",
            "Cafes, Restaurants and Takeaway Food Services",
            ("45", "Food and Beverage Services"),
            ("H", "Accommodation and Food Services"));

    public static readonly Industry Clothing =
        new("425", "Clothing, Footwear and Personal Accessory Retailing", ("42", "Other Store-Based Retailing"), Retail);

    public static readonly Industry Hardware =
        new("423", "Hardware, Building and Garden Supplies Retailing", ("42", "Other Store-Based Retailing"), Retail);

    public static readonly Industry Pharmacy =
        new("427", "Pharmaceutical and Other Store-Based Retailing", ("42", "Other Store-Based Retailing"), Retail);

    public static readonly Industry Electricity =
        new("264", "On Selling Electricity and Electricity Market Operation", ("26", "Electricity Supply"), Utilities);

    public static readonly Industry Telecom =
        new(
            "580",
            "Telecommunications Services",
            ("58", "Telecommunications Services"),
            ("J", "Information Media and Telecommunications"));

    public static readonly Industry Insurance =
        new(
            "632",
            "Health and General Insurance",
            ("63", "Insurance and Superannuation Funds"),
            ("K", "Financial and Insurance Services"));

    public static readonly Industry Streaming =
        new(
            "551",
            "Motion Picture and Video Activities",
            ("55", "Motion Picture and Sound Recording Activities"),
            ("J", "Information Media and Telecommunications"));

    public static readonly Industry Fitness =
        new(
            "911",
            "Sports and Physical Recreation Activities",
            ("91", "Sports and Recreation Activities"),
            ("R", "Arts and Recreation Services"));

    public static readonly Industry Transit =
        new("462", "Urban Bus Transport", ("46", "Road Transport"), ("I", "Transport, Postal and Warehousing"));

    public static readonly Industry RealEstate =
        new(
            "672",
            "Real Estate Services",
            ("67", "Property Operators and Real Estate Services"),
            ("L", "Rental, Hiring and Real Estate Services"));
}

/// <summary>A business that does not exist.</summary>
internal sealed record Merchant(string Name, Industry Industry, string Suburb, string State, string Postcode)
{
    public string Id { get; } = Identifier.Of(Chance.Mix(4, Name), Chance.Mix(5, Name));
}

/// <summary>Texts in the shape of Basiq's ids.</summary>
internal static class Identifier
{
    public const int Length = 36;

    public static string Of(ulong high, ulong low) => string.Create(Length, (high, low), static (span, x) => Write(span, x.high, x.low));

    public static void Write(Span<char> span, ulong high, ulong low)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], low);
        new Guid(bytes, bigEndian: true).TryFormat(span, out _);
    }

    public static bool TryRead(string text, out ulong high, out ulong low)
    {
        (high, low) = (0, 0);
        if (!Guid.TryParseExact(text, "D", out var id))
            return false;
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        low = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        return string.Equals(text, id.ToString(), StringComparison.Ordinal);
    }
}

/// <summary>Where the money of every household goes.</summary>
internal static class Narrations
{
    public static readonly Narration[] Groceries =
    [
        Card("Freshfield Market", Industry.Groceries, "Brunswick", "VIC", "3056"),
        Card("Golden Wattle Grocers", Industry.Groceries, "Dee Why", "NSW", "2099"),
        Card("Pantry & Pine", Industry.Groceries, "Norwood", "SA", "5067"),
        Card("Corner Orchard Foods", Industry.Groceries, "Paddington", "QLD", "4064"),
        Card("Big Gum Supermarket", Industry.Groceries, "Fremantle", "WA", "6160"),
    ];

    public static readonly Narration[] Meals =
    [
        Card("The Salty Magpie", Industry.Meals, "Manly", "NSW", "2095"),
        Card("Noodle Lane Canteen", Industry.Meals, "Melbourne", "VIC", "3000"),
        Card("Two Galahs Pizza", Industry.Meals, "Newtown", "NSW", "2042"),
        Card("Bottlebrush Bistro", Industry.Meals, "Norwood", "SA", "5067"),
        Card("Rosella Thai Kitchen", Industry.Meals, "West End", "QLD", "4101"),
        Card("The Drowsy Quokka Hotel", Industry.Meals, "Fremantle", "WA", "6160"),
    ];

    public static readonly Narration[] Coffee =
    [
        Card("Tiny Kettle Coffee", Industry.Meals, "Fitzroy", "VIC", "3065"),
        Card("Flat White Assembly", Industry.Meals, "Surry Hills", "NSW", "2010"),
        Card("Lorikeet Espresso", Industry.Meals, "Paddington", "QLD", "4064"),
    ];

    public static readonly Narration[] Shopping =
    [
        Card("Thread & Thistle", Industry.Clothing, "Chadstone", "VIC", "3148"),
        Card("Bluestone Outfitters", Industry.Clothing, "Sydney", "NSW", "2000"),
        Card("Hammer & Banksia Hardware", Industry.Hardware, "Alexandria", "NSW", "2015"),
        Card("Green Thumb Garden Barn", Industry.Hardware, "Mile End", "SA", "5031"),
    ];

    public static readonly Narration[] Chemist =
    [
        Card("Saltbush Pharmacy", Industry.Pharmacy, "Mosman", "NSW", "2088"),
        Card("Riverside Chemist", Industry.Pharmacy, "South Brisbane", "QLD", "4101"),
    ];

    public static readonly Narration[] Fuel =
    [
        Card("Outback Fuels", Industry.Fuel, "Penrith", "NSW", "2750"),
        Card("Red Dust Roadhouse", Industry.Fuel, "Midland", "WA", "6056"),
    ];

    public static readonly Narration Transit = Card("Metrolink Top Up", Industry.Transit, "Melbourne", "VIC", "3000");
    public static readonly Narration Streaming = Card("Platypus Play", Industry.Streaming, "Sydney", "NSW", "2000");
    public static readonly Narration Music = Card("Bellbird Music", Industry.Streaming, "Sydney", "NSW", "2000");
    public static readonly Narration Gym = Card("Iron Emu Fitness", Industry.Fitness, "Melbourne", "VIC", "3000");
    public static readonly Narration Electricity = Bpay("Southern Spark Energy", Industry.Electricity);
    public static readonly Narration Phone = Bpay("Dingo Mobile", Industry.Telecom);
    public static readonly Narration Internet = Bpay("Cockatoo Broadband", Industry.Telecom);
    public static readonly Narration Insurance = Bpay("Wombat Mutual Insurance", Industry.Insurance);

    public static readonly Narration Rent = new(
        "DIRECT DEBIT RENT TAWNY FROGMOUTH REALTY",
        "payment",
        new Merchant("Tawny Frogmouth Realty", Industry.RealEstate, "Melbourne", "VIC", "3000"));

    public static readonly Narration Cash = new("ATM WITHDRAWAL AUSTRALIA", "cash-withdrawal");
    public static readonly Narration AccountFee = new("MONTHLY ACCOUNT FEE", "bank-fee");
    public static readonly Narration Refund = new("REFUND BLUESTONE OUTFITTERS", "refund");
    public static readonly Narration ToSavings = new("TRANSFER TO SAVINGS", "transfer");
    public static readonly Narration FromEveryday = new("TRANSFER FROM EVERYDAY ACCOUNT", "transfer");
    public static readonly Narration ToEveryday = new("TRANSFER TO EVERYDAY ACCOUNT", "transfer");
    public static readonly Narration FromSavings = new("TRANSFER FROM SAVINGS", "transfer");
    public static readonly Narration CardPayment = new("CREDIT CARD PAYMENT", "transfer");
    public static readonly Narration CardPaymentReceived = new("PAYMENT RECEIVED THANK YOU", "transfer");
    public static readonly Narration CardInterest = new("INTEREST CHARGED", "loan-interest");
    public static readonly Narration LoanRepayment = new("LOAN REPAYMENT", "loan-repayment");
    public static readonly Narration LoanRepaymentReceived = new("REPAYMENT RECEIVED", "loan-repayment");
    public static readonly Narration LoanInterest = new("LOAN INTEREST", "loan-interest");
    public static readonly Narration InterestPaid = new("INTEREST PAID", "interest");
    public static readonly Narration Salary = new("SALARY DIRECT CREDIT", "direct-credit");

    /// <summary>What a generated account spends on, in no order.</summary>
    public static readonly Narration[] Spending =
        [.. Groceries, .. Meals, .. Coffee, .. Shopping, .. Chemist, .. Fuel, Transit, Streaming, Music, Gym, Phone, Internet, Cash];

    public static Narration SalaryFrom(string employer) => new($"SALARY {employer}", "direct-credit");

    private static Narration Card(string name, Industry industry, string suburb, string state, string postcode) => new(
        $"EFTPOS {name} {suburb}".ToUpperInvariant(), "payment", new Merchant(name, industry, suburb, state, postcode), "card:4615");

    private static Narration Bpay(string name, Industry industry) => new(
        $"BPAY {name}".ToUpperInvariant(),
        "payment",
        new Merchant(name, industry, "Sydney", "NSW", "2000"),
        bpayBiller: name.ToUpperInvariant());
}
